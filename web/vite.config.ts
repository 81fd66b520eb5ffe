/// <reference types="vitest/config" />
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const here = import.meta.dirname

// An app is a folder with an index.html beside this file; "index.html" itself is the door (sign-in).
const apps = readdirSync(here).filter((name) => existsSync(resolve(here, name, 'index.html')) && name !== 'dist')

// In development any path under /<app>/ is that app's page, as the Go server does it.
function oneEntryPerApp(): Plugin {
  return {
    name: 'one-entry-per-app',
    configureServer(server) {
      server.middlewares.use((req, _res, next) => {
        const [path = '/'] = (req.url ?? '/').split('?')
        const app = path.split('/')[1] ?? ''
        if (apps.includes(app) && !/\.[a-z0-9]+$/i.test(path)) req.url = `/${app}/index.html`
        next()
      })
    },
  }
}

// dist keeps the committed placeholder that stands in for the apps of a clone without Node.
function cleanDist(): Plugin {
  let out = ''
  return {
    name: 'clean-dist',
    apply: 'build',
    configResolved(config) {
      out = resolve(here, config.build.outDir)
    },
    buildStart() {
      if (!existsSync(out)) return
      for (const name of readdirSync(out)) if (name !== 'placeholder.html') rmSync(resolve(out, name), { recursive: true })
    },
  }
}

// What a browser must fetch before the first page stands, gzipped. Charts and further pages come later.
const firstLoad = 400_000

function budget(): Plugin {
  return {
    name: 'budget',
    apply: 'build',
    generateBundle(_options, bundle) {
      for (const entry of Object.values(bundle)) {
        if (entry.type !== 'chunk' || !entry.isEntry) continue
        const files = new Set<string>([entry.fileName])
        for (const file of files) {
          const chunk = bundle[file]
          if (chunk?.type === 'chunk') chunk.imports.forEach((name) => files.add(name))
        }
        let bytes = 0
        for (const file of files) {
          const part = bundle[file]
          if (part) bytes += gzipSync(part.type === 'chunk' ? part.code : part.source).length
        }
        if (bytes > firstLoad) this.error(`first load of ${entry.name} is ${bytes} bytes gzipped; the budget is ${firstLoad}`)
        else this.info(`first load of ${entry.name}: ${Math.round(bytes / 1000)} kB gzipped`)
      }
    },
  }
}

const api = process.env['ZHANGGUI_API'] ?? 'http://127.0.0.1:7300'

export default defineConfig({
  plugins: [react(), oneEntryPerApp(), cleanDist(), budget()],
  appType: 'mpa',
  resolve: { alias: { '@kit': resolve(here, 'src/kit') } },
  server: { host: '127.0.0.1', watch: { ignored: ['**/dist/**', '**/shots/**'] }, proxy: { '/api': { target: api, changeOrigin: false } } },
  build: {
    target: 'es2022',
    emptyOutDir: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: Object.fromEntries([
        ['door', resolve(here, 'index.html')],
        ...apps.map((name) => [name, resolve(here, name, 'index.html')]),
      ]),
    },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'], restoreMocks: true },
})
