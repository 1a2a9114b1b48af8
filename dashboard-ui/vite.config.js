import { readFileSync } from 'node:fs'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'
import { budget } from './scripts/budget.js'

// The theme is set by a classic script in the head, before anything is painted. Vite bundles modules only, so this
// gives that one file its hashed name: everything below /assets/ is cached for ever.
function themeScript() {
  const source = 'src/theme-early.js'
  let ref
  return {
    name: 'theme-script',
    apply: 'build',
    enforce: 'post',
    buildStart() {
      ref = this.emitFile({ type: 'asset', name: 'theme.js', source: readFileSync(source, 'utf8') })
    },
    generateBundle(_, bundle) {
      const page = bundle['index.html']
      page.source = page.source.replace(`/${source}`, `/${this.getFileName(ref)}`)
    },
  }
}

// What most pages are made of comes with the first one; what only some need (charts, a folder of pages) does not. Left to
// itself, the bundler would make dozens of files of a few lines each.
function shared(id) {
  if (id.endsWith('/components/index.ts')) return // it names them all, and is nothing itself
  if (id.includes('uplot') || id.includes('/components/Chart.svelte')) return 'chart'
  if (id.includes('vite/preload-helper') || id.includes('/node_modules/') || /\/src\/(api|lib|layout|components)\//.test(id)) return 'shared'
}

const server = process.env.CALLBOARD_URL ?? 'http://127.0.0.1:8071'

export default defineConfig({
  plugins: [
    svelte(),
    themeScript(),
    budget(120_000),
  ],
  build: {
    outDir: '../internal/dashboard/dist',
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy allows no inline script, so nothing may be put into index.html or become a data: URI.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      output: { manualChunks: shared },
      // A list of components is no reason to load them all.
      treeshake: { moduleSideEffects: (id) => !id.endsWith('/components/index.ts') },
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(['/api', '/docs', '/play/in'].map((path) => [path, server])),
  },
})
