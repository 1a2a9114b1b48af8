// The inboxes of Play that were made in this browser. Nobody can tell an inbox's key from its address, so whoever gives one
// to an endpoint as its URL and rotates the endpoint's secret later must have kept the key. One that was opened by a link is
// not kept: who sent the link could have it sign with that secret.
import { api } from '../api'
import { session } from '../api/session.svelte'
import type { Endpoint } from '../api/types'
import { clock } from './clock.svelte'

type Known = { url: string; key: string; expiresAt: string }
const place = 'callboard.inboxes'
const most = 50
const longestGrace = 7 * 86_400 // the API's, in seconds

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
  return known().find((inbox) => url.startsWith(inbox.url) && /^([/?#]|$)/.test(url.slice(inbox.url.length)))?.key
}

/**
 * Gives the inbox at an endpoint's URL, if it was made here, the secret that the endpoint signs with from now on. What is
 * signed with the one before holds for as long as is said.
 */
export async function giveSecret(app: string, endpoint: Endpoint, gracePeriodSeconds?: number): Promise<void> {
  const key = inboxAt(endpoint.url)
  if (key === undefined || !session.value?.play || !session.can('ViewEndpointSecret')) return
  const { key: held, next, nextAt } = await api.endpoints.secret(app, endpoint.id)
  const { dialect } = endpoint
  if (next === undefined || nextAt === undefined) {
    await api.play.patch(key, { secret: held, dialect, ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }) })
    return
  }
  // Webhooks have room for one: they carry the one that is held now until then, whether or not the inbox knew it.
  const seconds = Math.ceil((Date.parse(nextAt) - clock.now) / 1000)
  await api.play.patch(key, { secret: held, dialect })
  await api.play.patch(key, { secret: next, gracePeriodSeconds: Math.min(Math.max(seconds, 0), longestGrace) })
}
