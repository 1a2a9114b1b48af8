// Says how much each page loads as it goes over the wire, and fails the build when one of them loads too much.
import { gzipSync } from 'node:zlib'

/** A plugin of Vite. What a page loads is the document, what comes with every page, and the page's own code and styles. */
export function budget(limit) {
  return {
    name: 'budget',
    apply: 'build',
    enforce: 'post',
    generateBundle: { order: 'post', handler(_, bundle) { check(this, Object.values(bundle), limit) } },
  }
}

function check(build, files, limit) {
  const sizes = new Map(files.map((file) => [file.fileName, gzipSync(file.code ?? file.source, { level: 9 }).length]))
  const chunks = new Map(files.filter((file) => file.type === 'chunk').map((chunk) => [chunk.fileName, chunk]))
  const split = new Set(files.flatMap((file) => [...(file.viteMetadata?.importedCss ?? [])]))
  // The document, its picture and what is set before anything is painted.
  const always = files.filter((file) => file.type === 'asset' && !split.has(file.fileName)).map((file) => file.fileName)
  const first = [...chunks.values()].find((chunk) => chunk.isEntry)
  const pages = [...chunks.values()].filter((chunk) => chunk.facadeModuleId?.includes('/src/pages/') && chunk.isDynamicEntry)
  const loads = pages.map((page) => {
    const loaded = new Set([...always, ...closure(first, chunks), ...closure(page, chunks)])
    return { name: page.name, bytes: [...loaded].reduce((sum, file) => sum + sizes.get(file), 0) }
  }).sort((a, b) => b.bytes - a.bytes)
  for (const { name, bytes } of loads) console.log(`${String(bytes).padStart(8)}  ${name}`)
  console.log(`${String([...sizes.values()].reduce((sum, size) => sum + size, 0)).padStart(8)}  all pages together; bytes gzipped`)
  if (loads.length === 0) build.error('there are no pages')
  if (loads[0].bytes >= limit) build.error(`the page ${loads[0].name} loads ${loads[0].bytes} bytes; each must load less than ${limit}`)
}

// A chunk with its styles and all that it imports before it runs.
function closure(chunk, chunks, found = new Set()) {
  if (found.has(chunk.fileName)) return found
  found.add(chunk.fileName)
  for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style)
  for (const name of chunk.imports) closure(chunks.get(name), chunks, found)
  return found
}
