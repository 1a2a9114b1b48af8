// Links that sign in carry their key behind the #, which browsers send to no server.

export type Fragment = { key?: string; token?: string }

/** Reads key and token from the fragment of the address and takes them away from there. */
export function takeFragment(): Fragment {
  const text = window.location.hash.slice(1)
  // Everything after "key=" belongs to the key, whatever it holds.
  const [, name, value] = /^(key|token)=(.+)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) return {}
  history.replaceState(history.state, '', window.location.pathname + window.location.search)
  return name === 'key' ? { key: value } : { token: value }
}
