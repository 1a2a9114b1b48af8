// What came in at a source within a day, counted up to a bound.
import { api } from '../../api'

export type Count = { n: number; more: boolean }
export type DayAtSource = { accepted: Count; refused: Count; unreadable: Count; last: string | undefined }

const most = 100
const dayMs = 86_400_000

export async function dayAtSource(app: string, id: string, signal: AbortSignal): Promise<DayAtSource> {
  const after = new Date(Date.now() - dayMs).toISOString()
  const of = (status: string, limit: number, after?: string) => api.sources.received(app, id, { status, limit, after }, signal)
  const [accepted, other, last] = await Promise.all([
    of('accepted', most, after), of('refused,unreadable', most, after), of('accepted,refused,unreadable', 1),
  ])
  const among = (status: string) => ({ n: other.data.filter((row) => row.status === status).length, more: !other.done })
  return { accepted: { n: accepted.data.length, more: !accepted.done }, refused: among('refused'), unreadable: among('unreadable'), last: last.data[0]?.timestamp }
}
