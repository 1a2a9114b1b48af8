import { readFileSync } from 'node:fs'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

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

const server = process.env.CALLBOARD_URL ?? 'http://127.0.0.1:8071'

export default defineConfig({
  plugins: [
    svelte(),
    themeScript(),
  ],
  build: {
    outDir: '../internal/dashboard/dist',
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy allows no inline script, so nothing may be put into index.html or become a data: URI.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // One script: it is small, and a page that was opened before an update never asks for a chunk that is gone.
    rollupOptions: { output: { inlineDynamicImports: true } },
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(['/api', '/docs', '/play/in'].map((path) => [path, server])),
  },
})
