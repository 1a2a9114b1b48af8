// As of when attendance is shown, and whether what is shown as now is old.
import type { Attendance } from '../../api/types'

const quietMs = 15 * 60_000

type Told = Pick<Attendance, 'asOf' | 'latestActivityAt' | 'totals'>

/**
 * For how long nothing was told of people who count as here, in ms; undefined while that is short enough to be no
 * news. Who joined counts until somebody tells otherwise, so the figures of an event that is told late, or whose feed has
 * stopped, grow by themselves.
 */
export function silence({ asOf, latestActivityAt, totals }: Told): number | undefined {
  if (totals.present === 0 || latestActivityAt === null) return undefined
  const ms = Date.parse(asOf) - Date.parse(latestActivityAt)
  return ms > quietMs ? ms : undefined
}

/** Whether an answer to a request as of something shows the past: the latest of an event that has ended is now. */
export function isPast(asked: string | undefined, { asOf, latestActivityAt }: Told): boolean {
  return asked !== undefined && (asked !== 'latest' || asOf === latestActivityAt)
}
