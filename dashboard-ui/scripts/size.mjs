// Says how large the build is as it goes over the wire, and fails when it is too large.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const dist = '../internal/dashboard/dist'
const limit = 120_000
let total = 0
for (const file of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!file.isFile()) continue
  const size = gzipSync(readFileSync(join(file.parentPath ?? file.path, file.name)), { level: 9 }).length
  total += size
  console.log(`${String(size).padStart(7)}  ${file.name}`)
}
console.log(`${String(total).padStart(7)}  bytes gzipped, of less than ${limit}`)
if (total >= limit) {
  console.error('the dashboard is too large')
  process.exit(1)
}
