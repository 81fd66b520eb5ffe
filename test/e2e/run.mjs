// Runs the stories beside it one after another: `make e2e`, or `make e2e STORY=name` for one.

import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openBrowser, picture } from './lib.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const wanted = process.argv.slice(2)
const files = readdirSync(here).filter((f) => f.endsWith('.story.mjs') && (wanted.length === 0 || wanted.some((w) => f.includes(w)))).sort()

let passed = 0
let failed = 0
const browser = await openBrowser()
try {
  for (const file of files) {
    const story = await import(join(here, file))
    for (const [name, tell] of Object.entries(story).filter(([, value]) => typeof value === 'function')) {
      const began = Date.now()
      const undo = []
      const pages = []
      const scene = {
        browser,
        /** what is to be closed at the end, whatever happens */
        also: (thing, close) => { undo.push(close); return thing },
        page: (opened) => { pages.push(opened); undo.push(opened.close); return opened.page },
      }
      const took = () => `${((Date.now() - began) / 1000).toFixed(1)} s`
      try {
        await tell(scene)
        const wrong = pages.flatMap((p) => p.wrong)
        if (wrong.length > 0) throw new Error(`the page complained:\n  ${wrong.join('\n  ')}`)
        passed++
        console.log(`ok    ${file.replace('.story.mjs', '')}: ${name.replaceAll('_', ' ')} (${took()})`)
      } catch (error) {
        failed++
        console.log(`FAIL  ${file.replace('.story.mjs', '')}: ${name.replaceAll('_', ' ')} (${took()})\n${error.stack ?? error}`)
        for (const p of pages) {
          await picture(p.page, `failed-${name}`).catch(() => undefined)
          if (p.wrong.length > 0) console.log(p.wrong.join('\n'))
        }
      } finally {
        for (const close of undo.reverse()) await close().catch((error) => console.log('while closing:', error.message))
      }
    }
  }
} finally {
  await browser.close()
}
if (passed + failed === 0) {
  console.log('no story ran')
  failed++
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
