// How endpoints fare, in words.
import type { Endpoint, Undelivered } from '../api/types'
import type { Tone } from '../components'

export type Health = { id: 'disabled' | 'failing' | 'waiting' | 'healthy'; word: string; tone: Tone }

export function health(endpoint: Pick<Endpoint, 'disabled'>, row: Undelivered | undefined): Health {
  if (endpoint.disabled) return { id: 'disabled', word: 'Disabled', tone: 'muted' }
  if (row?.failingSince) return { id: 'failing', word: 'Failing', tone: 'fail' }
  if (row && row.failed > 0) return { id: 'failing', word: 'Has failures', tone: 'fail' }
  if (row && row.pending > 0) return { id: 'waiting', word: 'Has backlog', tone: 'warn' }
  return { id: 'healthy', word: 'Healthy', tone: 'success' }
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
