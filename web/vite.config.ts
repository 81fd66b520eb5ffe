/// <reference types="vitest/config" />
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
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
  return {
    name: 'clean-dist',
    apply: 'build',
    buildStart() {
      const dist = resolve(here, 'dist')
      if (!existsSync(dist)) return
      for (const name of readdirSync(dist)) if (name !== 'placeholder.html') rmSync(resolve(dist, name), { recursive: true })
    },
  }
}

const api = process.env['ZHANGGUI_API'] ?? 'http://127.0.0.1:7300'

export default defineConfig({
  plugins: [react(), oneEntryPerApp(), cleanDist()],
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
