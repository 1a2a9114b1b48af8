// The routes that the dashboard uses, by what they are about.
import { at, http, type Query } from './client'
import type * as T from './types'

type Signal = AbortSignal | undefined
type L<Row> = Promise<T.Page<Row>>

export const api = {
  session: {
    get: (signal?: Signal) => http.get<T.Session>('/auth/session', {}, signal),
    create: (body: { key?: string; token?: string; bearer: boolean }) => http.post<T.Session>('/auth/session', body, { anonymous: true }),
    end: () => http.delete('/auth/session'),
  },
  settings: {
    get: (signal?: Signal) => http.get<T.Settings>('/settings', {}, signal),
    patch: (body: Partial<Omit<T.Settings, 'portal'>> & { portal?: Partial<T.PortalSettings> | null }) => http.patch<T.Settings>('/settings', body),
  },
  apps: {
    list: (query: T.PageQuery = {}, signal?: Signal): L<T.App> => http.get('/app', query, signal),
    get: (app: string, signal?: Signal) => http.get<T.App>(at`/app/${app}`, {}, signal),
    create: (body: T.AppIn) => http.post<T.App>('/app', body),
    patch: (app: string, body: { [K in keyof T.AppIn]?: T.AppIn[K] | null }) => http.patch<T.App>(at`/app/${app}`, body),
    remove: (app: string) => http.delete(at`/app/${app}`),
    stats: (app: string, query: { since?: string; until?: string; endpoint_id?: string } = {}, signal?: Signal) =>
      http.get<T.AttemptStats>(at`/app/${app}/stats/attempt`, query, signal),
    orgStats: (query: { since?: string; until?: string } = {}, signal?: Signal) => http.get<T.AttemptStats>('/stats/attempt', query, signal),
    portalAccess: (app: string, body: { capabilities?: T.Capability[]; readOnly?: boolean; expiry?: number; featureFlags?: string[] } = {}) =>
      http.post<{ url: string; token: string }>(at`/auth/app-portal-access/${app}`, body),
    expireAll: (app: string) => http.post<void>(at`/auth/app/${app}/expire-all`),
    signingToken: (app: string) => http.get<T.EndpointSecret>(at`/app/${app}/signing-token`),
    rotateSigningToken: (app: string, body: { key?: string; gracePeriodSeconds?: number } = {}) =>
      http.post<void>(at`/app/${app}/signing-token/rotate`, body),
    undelivered: (app: string, signal?: Signal) => http.get<{ since: string; data: T.Undelivered[] }>(at`/app/${app}/undelivered`, {}, signal),
  },
  endpoints: {
    list: (app: string, query: T.PageQuery = {}, signal?: Signal): L<T.Endpoint> => http.get(at`/app/${app}/endpoint`, query, signal),
    get: (app: string, ep: string, signal?: Signal) => http.get<T.Endpoint>(at`/app/${app}/endpoint/${ep}`, {}, signal),
    create: (app: string, body: T.EndpointIn) => http.post<T.Endpoint>(at`/app/${app}/endpoint`, body),
    patch: (app: string, ep: string, body: T.EndpointPatch) => http.patch<T.Endpoint>(at`/app/${app}/endpoint/${ep}`, body),
    remove: (app: string, ep: string) => http.delete(at`/app/${app}/endpoint/${ep}`),
    checkURL: (app: string, url: string, signal?: Signal) =>
      http.post<T.URLCheck>(at`/app/${app}/endpoint/check-url`, { url }, { signal }),
    secret: (app: string, ep: string, signal?: Signal) => http.get<T.EndpointSecret>(at`/app/${app}/endpoint/${ep}/secret`, {}, signal),
    rotateSecret: (app: string, ep: string, body: { key?: string; gracePeriodSeconds?: number } = {}) =>
      http.post<void>(at`/app/${app}/endpoint/${ep}/secret/rotate`, body),
    headers: (app: string, ep: string, signal?: Signal) => http.get<T.EndpointHeaders>(at`/app/${app}/endpoint/${ep}/headers`, {}, signal),
    patchHeaders: (app: string, ep: string, body: { headers: Record<string, string | null>; sensitive?: string[] }) =>
      http.patch<void>(at`/app/${app}/endpoint/${ep}/headers`, body),
    stats: (app: string, ep: string, query: { since?: string; until?: string } = {}, signal?: Signal) =>
      http.get<T.EndpointStats>(at`/app/${app}/endpoint/${ep}/stats`, query, signal),
    /** How many deliveries a recovery of that time would queue again. */
    recoverPreview: (app: string, ep: string, query: { since: string; until?: string }, signal?: Signal) =>
      http.get<{ messages: number; more: boolean }>(at`/app/${app}/endpoint/${ep}/recover`, query, signal),
    recover: (app: string, ep: string, body: { since: string; until?: string }) =>
      http.post<T.Task>(at`/app/${app}/endpoint/${ep}/recover`, body),
    sendExample: (app: string, ep: string, body: { eventType: string; exampleIndex?: number; data?: unknown; payload?: unknown; body?: string }) =>
      http.post<T.Message>(at`/app/${app}/endpoint/${ep}/send-example`, body),
    example: (app: string, ep: string, eventType: string, signal?: Signal) =>
      http.get<T.Example>(at`/app/${app}/endpoint/${ep}/example`, { event_type: eventType }, signal),
  },
  deliveries: {
    list: (app: string, query: T.DeliveryQuery = {}, signal?: Signal): L<T.DeliveryRow> => http.get(at`/app/${app}/delivery`, query, signal),
  },
  messages: {
    get: (app: string, msg: string, signal?: Signal) => http.get<T.Message>(at`/app/${app}/msg/${msg}`, { with_content: true }, signal),
    /** The answer as text: the payload in it is as it was sent, which parsing would change. */
    text: async (app: string, msg: string, signal?: Signal) =>
      (await http.send('GET', at`/app/${app}/msg/${msg}`, { query: { with_content: true }, signal })).text(),
    create: (app: string, body: T.MessageIn) => http.post<T.Message>(at`/app/${app}/msg`, body),
    destinations: (app: string, msg: string, query: T.PageQuery = {}, signal?: Signal): L<T.MessageDestination> =>
      http.get(at`/app/${app}/msg/${msg}/endpoint`, { ...query, expanded_statuses: true }, signal),
    request: (app: string, msg: string, ep: string, attempt?: string, signal?: Signal) =>
      http.get<T.SentRequest>(at`/app/${app}/msg/${msg}/endpoint/${ep}/request`, { attempt_id: attempt }, signal),
    resend: (app: string, msg: string, ep: string) => http.post<void>(at`/app/${app}/msg/${msg}/endpoint/${ep}/resend`),
  },
  attempts: {
    byMessage: (app: string, msg: string, query: T.PageQuery & { endpoint_id?: string } = {}, signal?: Signal): L<T.Attempt> =>
      http.get(at`/app/${app}/attempt/msg/${msg}`, query, signal),
    byEndpoint: (app: string, ep: string, query: T.PageQuery & { status?: number; with_msg?: boolean } = {}, signal?: Signal): L<T.Attempt> =>
      http.get(at`/app/${app}/attempt/endpoint/${ep}`, query, signal),
    get: (app: string, msg: string, attempt: string, signal?: Signal) =>
      http.get<T.Attempt>(at`/app/${app}/msg/${msg}/attempt/${attempt}`, {}, signal),
  },
  tasks: {
    get: (task: string, signal?: Signal) => http.get<T.Task>(at`/background-task/${task}`, {}, signal),
  },
  catalog: {
    list: (signal?: Signal) => http.get<{ data: T.CatalogEntry[] }>('/catalog', {}, signal),
    get: (type: string, signal?: Signal) => http.get<T.CatalogType>(at`/catalog/${type}`, {}, signal),
    verify: (dialect: string, signal?: Signal) => http.get<T.Verify>(at`/catalog/verify/${dialect}`, {}, signal),
    publicList: (org: string, signal?: Signal) => http.get<T.Public<{ data: T.CatalogEntry[] }>>(at`/public/catalog/${org}`, {}, signal),
    publicGet: (org: string, type: string, signal?: Signal) => http.get<T.Public<T.CatalogType>>(at`/public/catalog/${org}/${type}`, {}, signal),
  },
  eventTypes: {
    list: (query: T.PageQuery & { include_archived?: boolean; with_content?: boolean } = {}, signal?: Signal): L<T.EventType> =>
      http.get('/event-type', query, signal),
    get: (type: string, signal?: Signal) => http.get<T.EventType>(at`/event-type/${type}`, {}, signal),
    create: (body: T.EventTypeIn) => http.post<T.EventType>('/event-type', body),
    patch: (type: string, body: Partial<Omit<T.EventTypeIn, 'name'>>) => http.patch<T.EventType>(at`/event-type/${type}`, body),
    archive: (type: string) => http.delete(at`/event-type/${type}`),
  },
  sources: {
    list: (app: string, query: T.PageQuery = {}, signal?: Signal): L<T.Source> => http.get(at`/app/${app}/source`, query, signal),
    get: (app: string, source: string, signal?: Signal) => http.get<T.Source>(at`/app/${app}/source/${source}`, {}, signal),
    create: (app: string, body: T.SourceIn) => http.post<T.Source>(at`/app/${app}/source`, body),
    patch: (app: string, source: string, body: { [K in keyof T.SourceIn]?: T.SourceIn[K] | null }) =>
      http.patch<T.Source>(at`/app/${app}/source/${source}`, body),
    remove: (app: string, source: string) => http.delete(at`/app/${app}/source/${source}`),
    /** One of secret, token and key. */
    rotate: (app: string, source: string, body: { secret?: string; token?: string; key?: string; gracePeriodSeconds?: number }) =>
      http.post<void>(at`/app/${app}/source/${source}/secret/rotate`, body),
    received: (app: string, source: string, query: T.PageQuery & { status?: string; before?: string; after?: string } = {}, signal?: Signal): L<T.Received> =>
      http.get(at`/app/${app}/source/${source}/received`, query, signal),
    receivedBody: (app: string, source: string, id: string, signal?: Signal) =>
      http.get<T.ReceivedBody>(at`/app/${app}/source/${source}/received/${id}`, {}, signal),
    replay: (app: string, source: string, id: string) =>
      http.post<T.ReceivedReplay>(at`/app/${app}/source/${source}/received/${id}/replay`),
  },
  live: {
    /** noun is event, session, registration, contact, conference, conversation and so on. */
    list: (app: string, noun: string, query: T.PageQuery & Query = {}, signal?: Signal): L<T.Doc> => http.get(at`/app/${app}/${noun}`, query, signal),
    get: (app: string, noun: string, id: string, signal?: Signal) => http.get<T.Doc>(at`/app/${app}/${noun}/${id}`, {}, signal),
    text: async (app: string, noun: string, id: string, signal?: Signal) =>
      (await http.send('GET', at`/app/${app}/${noun}/${id}`, { signal })).text(),
    sessions: (app: string, event: string, query: T.PageQuery = {}, signal?: Signal): L<T.Doc> =>
      http.get(at`/app/${app}/event/${event}/session`, query, signal),
    registrations: (app: string, event: string, query: T.PageQuery = {}, signal?: Signal): L<T.Doc> =>
      http.get(at`/app/${app}/event/${event}/registration`, query, signal),
    registration: (app: string, event: string, id: string, signal?: Signal) =>
      http.get<T.Doc>(at`/app/${app}/event/${event}/registration/${id}`, {}, signal),
    participants: (app: string, conference: string, query: T.PageQuery = {}, signal?: Signal): L<T.ConferenceParticipant> =>
      http.get(at`/app/${app}/conference/${conference}/participant`, query, signal),
    /** lines: false gives the totals alone. asOf is a time in the past, or "latest"; now by default. */
    attendance: (app: string, event: string, query: { lines?: boolean; asOf?: string } = {}, signal?: Signal) =>
      http.get<T.Attendance>(at`/app/${app}/event/${event}/attendance`, query, signal),
    attendanceCSV: async (app: string, event: string, query: { asOf?: string } = {}) =>
      (await http.send('GET', at`/app/${app}/event/${event}/attendance`, { query, headers: { Accept: 'text/csv' } })).blob(),
    timeline: (app: string, event: string, query: { session_id?: string; step?: string; asOf?: string } = {}, signal?: Signal) =>
      http.get<T.AttendanceTimeline>(at`/app/${app}/event/${event}/attendance/timeline`, query, signal),
  },
  play: {
    create: () => http.post<Omit<T.PlayInbox, 'lastEventId' | 'requests'>>('/play', {}, { anonymous: true }),
    get: (key: string, signal?: Signal) => http.get<T.PlayInbox>(at`/play/${key}`, {}, signal),
    patch: (key: string, body: { status?: number; delayMs?: number; body?: string; dialect?: string | null; secret?: string | null; gracePeriodSeconds?: number }) =>
      http.patch<T.PlaySettings>(at`/play/${key}`, body, { anonymous: true }),
    clear: (key: string) => http.delete(at`/play/${key}/request`, { anonymous: true }),
    send: (key: string, body: { headers: { name: string; value: string }[]; body?: string; bodyBase64?: string; sign: boolean }) =>
      http.post<{ id: string }>(at`/play/${key}/send`, body, { anonymous: true }),
  },
}
