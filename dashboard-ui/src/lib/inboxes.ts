// The inboxes of Play that were made in this browser. Nobody can tell an inbox's key from its address, so whoever gives one
// to an endpoint as its URL and rotates the endpoint's secret later must have kept the key. One that was opened by a link is
// not kept: who sent the link could have it sign with that secret.
import { api } from '../api'
import { session } from '../api/session.svelte'
import type { Endpoint } from '../api/types'

type Known = { url: string; key: string; expiresAt: string }
const place = 'callboard.inboxes'
const most = 50

function known(): Known[] {
  try {
    const all = JSON.parse(localStorage.getItem(place) ?? '[]') as Known[]
    return all.filter(({ expiresAt }) => Date.parse(expiresAt) > Date.now())
  } catch {
    return [] // Storage is refused in some frames, and what stands there anybody may have changed.
  }
}

export function keepInbox({ url, key, expiresAt }: Known) {
  try {
    localStorage.setItem(place, JSON.stringify([{ url, key, expiresAt }, ...known().filter((inbox) => inbox.key !== key)].slice(0, most)))
  } catch {
    // It is not known here then.
  }
}

/** The key of the inbox at an address, if it was made here. */
export function inboxAt(url: string): string | undefined {
  return known().find((inbox) => url === inbox.url || url.startsWith(inbox.url + '/'))?.key
}

/**
 * Gives the inbox at an endpoint's URL the secret that the endpoint signs with from now on. What is signed with the one before
 * holds for as long as is said. Whether there was such an inbox.
 */
export async function giveSecret(app: string, endpoint: Endpoint, gracePeriodSeconds?: number): Promise<boolean> {
  const key = inboxAt(endpoint.url)
  if (key === undefined || !session.value?.play || !session.can('ViewEndpointSecret')) return false
  const answer = await api.endpoints.secret(app, endpoint.id)
  await api.play.patch(key, { secret: answer.next ?? answer.key, dialect: endpoint.dialect, ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }) })
  return true
}
