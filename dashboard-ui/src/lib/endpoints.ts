// How endpoints fare, in words.
import type { Endpoint, Undelivered } from '../api/types'
import type { Tone } from '../components'

export type Health = { id: 'disabled' | 'failing' | 'waiting' | 'healthy'; word: string; tone: Tone }

/** How long a receiver may fail before it is called failing: one that is restarted, or fails now and then, is not. */
const patience = 60_000

export function health(endpoint: Pick<Endpoint, 'disabled'>, row: Undelivered | undefined, now: number): Health {
  if (endpoint.disabled) return { id: 'disabled', word: 'Disabled', tone: 'muted' }
  if (failing(row, now)) return { id: 'failing', word: 'Failing', tone: 'fail' }
  if (row && row.failed > 0) return { id: 'failing', word: 'Has failures', tone: 'fail' }
  if (row?.failingSince) return { id: 'waiting', word: 'Last attempt failed', tone: 'warn' }
  if (row && row.pending > 0) return { id: 'waiting', word: 'Has backlog', tone: 'warn' }
  return { id: 'healthy', word: 'Healthy', tone: 'success' }
}

/** Whether no attempt has succeeded for a while. */
export function failing(row: Undelivered | undefined, now: number): boolean {
  return row?.failingSince != null && now - Date.parse(row.failingSince) >= patience
}

const reasons: Record<string, string> = {
  api: 'switched off',
  gone: 'its receiver answered 410 Gone',
  failing: 'it failed for too long',
  receiver: 'its receiver asked for no more, as by 410 Gone',
}

/** Why an endpoint is disabled; '' if nothing says so. */
export function disabledReason(endpoint: Pick<Endpoint, 'disabledReason'>): string {
  return endpoint.disabledReason ? (reasons[endpoint.disabledReason] ?? endpoint.disabledReason) : ''
}
