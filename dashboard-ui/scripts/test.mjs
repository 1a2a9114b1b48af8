// Runs src/**/*.test.ts with Node's own test runner; Vite reads the TypeScript.
import { readdirSync } from 'node:fs'
import { createServer } from 'vite'

const server = await createServer({ server: { middlewareMode: true, hmr: false, ws: false }, appType: 'custom', logLevel: 'error' })
const files = readdirSync('src', { recursive: true }).filter((file) => file.endsWith('.test.ts')).sort()
if (files.length === 0) throw new Error('there is no test')
for (const file of files) await server.ssrLoadModule(`/src/${file}`)
await server.close()
