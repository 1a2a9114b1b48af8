// What the API says, as far as the dashboard reads it. The whole of it is at /api/v1/openapi.json.

export type Page<T> = { data: T[]; iterator: string | null; prevIterator?: string | null; done: boolean }
export type PageQuery = { limit?: number; iterator?: string }

// --- session and settings ---------------------------------------------------------------------------------------------

export type Capability =
  | 'ViewBase' | 'ViewEndpointSecret' | 'ManageEndpointSecret' | 'ManageTransformations' | 'CreateAttempts' | 'ManageEndpoint'

export type Brand = { name: string | null; logo: string | null; accent: string | null }

export type Session = {
  org: string
  app: { id: string; uid: string | null; name: string } | null
  capabilities: Capability[] | null
  readOnly: boolean
  expiresAt: string | null
  token?: string
  embedded: boolean
  brand: Brand
  play: boolean
  version: string
  publicUrl: string
  dialects: string[]
  defaultDialect: string
  /** Of endpoints that have none of their own. */
  retrySchedule: string[]
  serverTime: string
}

export type PortalSettings = Brand & { allowedOrigins: string[] }

export type Settings = {
  catalog: 'all' | 'none' | string[]
  schemaValidation: 'strict' | 'warn'
  dialects: string[]
  defaultDialect: string
  resourceUrlBase: string | null
  portal: PortalSettings
  publicCatalog: boolean
}

// --- apps and endpoints -----------------------------------------------------------------------------------------------

export type App = {
  id: string
  uid: string | null
  name: string
  throttleRate: number | null
  metadata: Record<string, string>
  createdAt: string
  updatedAt: string
  dialects: string[] | null
  defaultDialect: string | null
  resourceUrlBase: string | null
}
export type AppIn = {
  name: string
  uid?: string
  throttleRate?: number | null
  metadata?: Record<string, string>
  defaultDialect?: string | null
  dialects?: string[] | null
  resourceUrlBase?: string | null
}

export type Endpoint = {
  id: string
  uid: string | null
  url: string
  description: string
  disabled: boolean
  filterTypes: string[] | null
  channels: string[] | null
  throttleRate: number | null
  version: number
  metadata: Record<string, string>
  createdAt: string
  updatedAt: string
  dialect: string
  translate: boolean
  retrySchedule: string[] | null
  timeout: string | null
  deadline: string | null
  disabledReason: 'api' | 'gone' | 'failing' | 'receiver' | (string & {}) | null
  disabledAt: string | null
  warnings?: string[]
}
export type EndpointIn = {
  url: string
  description?: string
  uid?: string
  disabled?: boolean
  filterTypes?: string[] | null
  channels?: string[] | null
  throttleRate?: number | null
  metadata?: Record<string, string>
  dialect?: string
  translate?: boolean
  retrySchedule?: string[] | null
  timeout?: string | null
  deadline?: string | null
  secret?: string
  headers?: Record<string, string>
}
/** null clears; what is absent stays. */
export type EndpointPatch = { [K in keyof EndpointIn]?: EndpointIn[K] | null }
export type EndpointSecret = { key: string; next?: string; nextAt?: string; warnings?: string[] }
export type EndpointHeaders = { headers: Record<string, string>; sensitive: string[] }
export type EndpointStats = { success: number; pending: number; sending: number; fail: number; canceled: number }
export type URLCheck = { ok: boolean; reason: string | null; warning: string | null }
export type Undelivered = {
  endpointId: string
  pending: number
  failed: number
  /** Whether counting stopped: there are at least so many. */
  pendingMore: boolean
  failedMore: boolean
  failedSince: string | null
  pendingSince: string | null
  failingSince: string | null
}

// --- messages, deliveries, attempts -----------------------------------------------------------------------------------

/** 0 success, 1 pending, 2 fail, 3 sending, 4 canceled. */
export type StatusNumber = 0 | 1 | 2 | 3 | 4
export type StatusText = 'success' | 'pending' | 'fail' | 'sending' | 'canceled'

export type Explanation = { title: string; detail: string | null; hint: string | null }

export type Message = {
  id: string
  eventId: string | null
  eventType: string
  payload: unknown
  channels: string[] | null
  tags: string[] | null
  deliverAt: string | null
  timestamp: string
  test: boolean
  warnings?: { loc: string[]; msg: string }[]
}
export type MessageIn = {
  eventType: string
  payload: unknown
  eventId?: string
  channels?: string[]
  tags?: string[]
  deliverAt?: string
}

export type DeliveryRow = {
  msgId: string
  endpointId: string
  eventType: string
  eventId: string | null
  channels: string[] | null
  tags: string[] | null
  test: boolean
  timestamp: string
  status: StatusNumber
  statusText: StatusText
  /** All that were made, before a resend or a recovery too. */
  attempts: number
  nextAttempt: string | null
  failReason: string | null
  lastAttempt: {
    id: string
    timestamp: string
    status: StatusNumber
    responseStatusCode: number
    responseDurationMs: number
    triggerType: 0 | 1
    explanation: Explanation | null
  } | null
}
export type DeliveryEvent = DeliveryRow & {
  attempt: {
    id: string
    timestamp: string
    responseStatusCode: number
    responseDurationMs: number
    status: StatusNumber
    triggerType: 0 | 1
    explanation: Explanation | null
  }
}
export type DeliveryQuery = PageQuery & {
  endpoint_id?: string
  status?: string | number
  event_types?: string[]
  channel?: string
  tag?: string
  before?: string
  after?: string
}

export type Attempt = {
  id: string
  msgId: string
  endpointId: string
  url: string
  response: string
  responseStatusCode: number
  responseDurationMs: number
  status: StatusNumber
  statusText: StatusText
  triggerType: 0 | 1
  timestamp: string
  explanation: Explanation | null
  msg?: Message
}

export type MessageDestination = Endpoint & {
  status: StatusNumber
  statusText: StatusText
  nextAttempt: string | null
  reason?: string | null
}

export type SentHeader = { name: string; value: string; masked: boolean }
export type SentRequest = {
  method: string
  url: string
  dialect: string
  at: string
  headers: SentHeader[]
  body: string
  bodyBase64: string | null
  authentication: { scheme: string; headers: string[]; secretHint: string; valid: boolean; detail: string }
}
export type Example = { eventType: string; word: string; fit: Fit; dialect: string; body: string; headers: SentHeader[] }

export type Task = {
  id: string
  status: 'running' | 'finished' | 'failed'
  task: string
  data: { messagesSent: number; messagesTotal?: number; reason?: string }
  updatedAt: string
}

export type Topic = 'endpoint' | 'live' | 'source' | 'task' | 'message' | 'eventType' | 'app'

// --- statistics -------------------------------------------------------------------------------------------------------

export type Latency = { p50: number; p95: number; p99: number }
export type AttemptStats = {
  since: string
  until: string
  stepSeconds: number
  data: { at: string; success: number; fail: number; latencyMs: Latency | null }[]
  totals: { success: number; fail: number; byClass: Record<string, number>; latencyMs: Latency | null }
  endpoints: { appId: string; endpointId: string; success: number; fail: number; latencyMs: Latency | null }[]
}

// --- catalogue --------------------------------------------------------------------------------------------------------

export type Fit = 'exact' | 'close'
export type CatalogEntry = {
  name: string
  group: string | null
  description: string
  deprecated: boolean
  own: boolean
  words: Record<string, { words: string[]; fit: Fit }>
}
export type CatalogType = CatalogEntry & {
  schema: unknown
  samples: Sample[]
}
/** What everybody sees of a catalogue says whose it is. */
export type Public<T> = T & { brand: Brand }
/** secret is one that everybody knows: the sample is signed with it. */
export type Sample = { dialect: string; word: string; fit: Fit; body: string; headers: { name: string; value: string }[]; secret: string }
export type Verify = {
  dialect: string
  scheme: string
  headers: string[]
  steps: string[]
  snippets: { go: string; typescript: string; python: string; curl: string }
}
/** An event type that the org declared itself. */
export type EventType = {
  name: string
  description: string
  archived: boolean
  deprecated: boolean
  schemas: Record<string, unknown> | null
  groupName: string | null
  updatedAt: string
  origin: 'own' | 'catalog'
}
export type EventTypeIn = {
  name: string
  description: string
  groupName?: string | null
  schemas?: Record<string, unknown> | null
  archived?: boolean
  deprecated?: boolean
}

// --- sources ----------------------------------------------------------------------------------------------------------

export type Source = {
  id: string
  url: string
  dialect: string
  description: string
  channels: string[] | null
  createdAt: string
  updatedAt: string
  hasSecret: boolean
  hasToken: boolean
  tokenHeader: string | null
  key: string | null
  unverified: boolean
  signature: { header?: string; encoding?: string; prefix?: string; secret?: string } | null
  hasHandshakeSecret: boolean
  oldAcceptedUntil: string | null
  typeHeader: string | null
  typeField: string | null
  warnings?: string[]
}
export type SourceIn = {
  dialect: string
  description?: string
  channels?: string[] | null
  secret?: string
  token?: string
  tokenHeader?: string
  key?: string
  unverified?: boolean
  signature?: Source['signature']
  handshakeSecret?: string
  typeHeader?: string
  typeField?: string
}
export type Received = {
  id: string
  status: 'accepted' | 'refused' | 'unreadable'
  messageId: string | null
  timestamp: string
  vendorId: string | null
  eventType: string | null
  headers: Record<string, string[]>
  sizeBytes: number
  verified: boolean
  why: string | null
  hint: string | null
  note: string | null
}
export type ReceivedBody = Received & { body: string | null; bodyBase64?: string }
export type ReceivedReplay = { messageId: string; receivedId: string | null; duplicate: boolean; note: string | null }

// --- live state -------------------------------------------------------------------------------------------------------

/** What is known of an event, a session and so on: a document, of which only the id is certain. */
export type Doc = { id: string } & Record<string, unknown>

export type Attendance = {
  event: { id: string | number; number: string | number; status: string }
  /** What all figures are as of. */
  asOf: string
  data: {
    sessionId: string
    registrationId: string
    present: boolean
    connections: number
    presentSince?: string
    firstJoinedAt?: string
    lastLeftAt?: string
    /** null where a source told of it that knows no leaves. */
    minutes: number | null
    late: boolean
  }[]
  totals: { present: number; attended: number; minutes: number }
  /** When the latest join or leave happened; null if there is none. */
  latestActivityAt: string | null
}
export type AttendanceLine = Attendance['data'][number]
export type ConferenceParticipant = {
  participantId: string | number
  participantName?: string
  participantEmail?: string
  participantPhoneNumber?: string
  participantRole?: string
  dialoutStatus?: string
  present: boolean
  watching: boolean
  firstEnteredAt?: string
  lastLeftAt?: string
  minutes: number
  /** Whether some of it came after time spent was told. */
  late: boolean
}
export type AttendanceTimeline = {
  event: Attendance['event']
  asOf: string
  latestActivityAt: string | null
  stepSeconds: number
  data: { at: string; present: number; joined: number; left: number }[]
}

// --- Play -------------------------------------------------------------------------------------------------------------

export type PlaySettings = { status: number; delayMs: number; body: string; dialect: string | null; hasSecret: boolean }
export type PlayRequest = {
  id: string
  receivedAt: string
  method: string
  path: string
  query: string
  headers: { name: string; value: string }[]
  body?: string
  bodyBase64?: string
  headersOmitted?: number
  size: number
  truncated: boolean
  /** What the body calls its own type; '' if nothing. */
  type: string
  /** Whether this server delivered it. */
  own: boolean
  answered: { status: number }
  verification: { dialect: string | null; verdict: 'valid' | 'invalid' | 'unsigned' | 'unknown_secret'; detail: string }
}
export type PlayInbox = { key: string; url: string; expiresAt: string; settings: PlaySettings; lastEventId: string; requests: PlayRequest[] }
