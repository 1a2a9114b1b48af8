package restapi

// Answer says what Callboard answers on one of Svix's routes.
type Answer string

// The answers.
const (
	Yes   Answer = "yes"   // it works as in Svix
	Later Answer = "later" // 501: it will come
	No    Answer = "no"    // 404: it is about something that Callboard does not have
)

// Route is one of Svix's routes and what became of it.
type Route struct {
	Method, Path string
	Answer       Answer
	Why          string
}

const (
	pathApp       = prefix + "/app/{app_id}"
	pathEndpoint  = pathApp + "/endpoint/{endpoint_id}"
	pathMessage   = pathApp + "/msg/{msg_id}"
	pathPoller    = pathApp + "/poller/{sink_id}"
	pathPolling   = pathApp + "/polling-endpoint/{sink_id}/consumer/{consumer_id}"
	pathEventType = prefix + "/event-type/{event_type_name}"
	pathOperation = prefix + "/operational-webhook/endpoint"
	pathStream    = prefix + "/stream"
	pathManage    = prefix + "/management"
	pathIngest    = "/ingest" + prefix + "/source"
)

// Reasons that several routes share.
const (
	whyOperational = "operational webhooks come with a later version"
	whyPoller      = "pulling instead of being called comes with a later version"
	whyTransform   = "transformations come with a later version"
	whyStream      = "Callboard has no streams"
	whyManage      = "one server, one environment: the command line makes tokens, any org_… is valid"
	whyIngest      = "Callboard's sources take in webhooks in another way"
	whyIntegration = "integration keys are Svix's; give out a token of the app"
	whyConnector   = "connectors are Svix's templates; dialects stand in"
)

// svixRoutes are the routes that Svix's clients of version 1.99 know. docs/svix.md
// is made from this list, and a test holds the router to it.
var svixRoutes = []Route{
	{"GET", prefix + "/app", Yes, ""},
	{"POST", prefix + "/app", Yes, "get_if_exists too"},
	{"GET", pathApp, Yes, ""},
	{"PUT", pathApp, Yes, "creates an unknown uid; a uid that is left out stays"},
	{"PATCH", pathApp, Yes, ""},
	{"DELETE", pathApp, Yes, ""},

	{"GET", pathApp + "/endpoint", Yes, ""},
	{"POST", pathApp + "/endpoint", Yes, ""},
	{"GET", pathEndpoint, Yes, ""},
	{"PUT", pathEndpoint, Yes, "creates an unknown uid; Callboard's own fields that are left out stay"},
	{"PATCH", pathEndpoint, Yes, ""},
	{"DELETE", pathEndpoint, Yes, ""},
	{"GET", pathEndpoint + "/secret", Yes, ""},
	{"POST", pathEndpoint + "/secret/rotate", Yes, "409 where the secret is the app's signing token"},
	{"GET", pathEndpoint + "/headers", Yes, ""},
	{"PUT", pathEndpoint + "/headers", Yes, ""},
	{"PATCH", pathEndpoint + "/headers", Yes, ""},
	{"GET", pathEndpoint + "/stats", Yes, "counts deliveries, each once"},
	{"POST", pathEndpoint + "/recover", Yes, ""},
	{"POST", pathEndpoint + "/send-example", Yes, "also takes data, laid over the example, and payload"},
	{"POST", pathEndpoint + "/replay-missing", Later, "for messages from before the endpoint; use recover for failures"},
	{"POST", pathEndpoint + "/bulk-replay", Later, "use recover"},
	{"GET", pathEndpoint + "/transformation", Later, whyTransform},
	{"PATCH", pathEndpoint + "/transformation", Later, whyTransform},
	{"PUT", pathEndpoint + "/auto-config", No, "auto-config is a service of Svix"},

	{"GET", prefix + "/event-type", Yes, "the catalogue's too, as the setting catalog says"},
	{"POST", prefix + "/event-type", Yes, ""},
	{"GET", pathEventType, Yes, ""},
	{"PUT", pathEventType, Yes, "declares an unknown name"},
	{"PATCH", pathEventType, Yes, "409 for the catalogue's"},
	{"DELETE", pathEventType, Yes, "archives; expunge removes; 409 for the catalogue's"},
	{"POST", prefix + "/event-type/import/openapi", Later, "declare event types one by one"},

	{"GET", pathApp + "/msg", Yes, ""},
	{"POST", pathApp + "/msg", Yes, "the payload of a catalogue's type must fit its schema"},
	{"POST", pathApp + "/msg/precheck/active", Yes, ""},
	{"POST", pathApp + "/msg/expunge-all-contents", Later, "delete payloads message by message, or the app"},
	{"GET", pathMessage, Yes, ""},
	{"DELETE", pathMessage + "/content", Yes, ""},
	{"GET", pathPoller, Later, whyPoller},
	{"GET", pathPoller + "/consumer/{consumer_id}", Later, whyPoller},
	{"POST", pathPoller + "/consumer/{consumer_id}/seek", Later, whyPoller},
	{"GET", pathPolling, Later, whyPoller},
	{"POST", pathPolling + "/commit", Later, whyPoller},

	{"GET", pathApp + "/attempt/endpoint/{endpoint_id}", Yes, ""},
	{"GET", pathApp + "/attempt/msg/{msg_id}", Yes, ""},
	{"GET", pathEndpoint + "/msg", Yes, ""},
	{"GET", pathMessage + "/endpoint", Yes, ""},
	{"GET", pathMessage + "/attempt/{attempt_id}", Yes, ""},
	{"DELETE", pathMessage + "/attempt/{attempt_id}/content", Yes, ""},
	{"POST", pathMessage + "/endpoint/{endpoint_id}/resend", Yes, ""},

	{"POST", prefix + "/auth/app-portal-access/{app_id}", Yes, "the link opens the dashboard for this app; its key is in the fragment"},
	{"POST", prefix + "/auth/dashboard-access/{app_id}", Yes, "the older form of app-portal-access"},
	{"POST", prefix + "/auth/app/{app_id}/expire-all", Yes, "at once and for all sessions; expiry and sessionIds are refused"},
	{"POST", prefix + "/auth/logout", Later, "DELETE /api/v1/auth/session signs a browser out; expire-all ends an app's tokens"},
	{"POST", prefix + "/auth/stream-portal-access/{stream_id}", No, whyStream},
	{"POST", prefix + "/auth/stream-logout", No, whyStream},
	{"POST", prefix + "/auth/stream/{stream_id}/expire-all", No, whyStream},
	{"GET", prefix + "/auth/stream/{stream_id}/sink/{sink_id}/poller/token", No, whyStream},
	{"POST", prefix + "/auth/stream/{stream_id}/sink/{sink_id}/poller/token/rotate", No, whyStream},

	{"GET", prefix + "/background-task", Yes, ""},
	{"GET", prefix + "/background-task/{task_id}", Yes, ""},
	{"POST", prefix + "/stats/usage/app", Later, "an endpoint's stats and /metrics count"},
	{"PUT", prefix + "/stats/usage/event-types", Later, "/metrics counts"},

	{"GET", pathOperation, Later, whyOperational},
	{"POST", pathOperation, Later, whyOperational},
	{"GET", pathOperation + "/{endpoint_id}", Later, whyOperational},
	{"PUT", pathOperation + "/{endpoint_id}", Later, whyOperational},
	{"DELETE", pathOperation + "/{endpoint_id}", Later, whyOperational},
	{"GET", pathOperation + "/{endpoint_id}/secret", Later, whyOperational},
	{"POST", pathOperation + "/{endpoint_id}/secret/rotate", Later, whyOperational},
	{"GET", pathOperation + "/{endpoint_id}/headers", Later, whyOperational},
	{"PUT", pathOperation + "/{endpoint_id}/headers", Later, whyOperational},

	{"GET", prefix + "/health", Yes, "/health/ping and /ready too"},

	{"GET", pathApp + "/integration", No, whyIntegration},
	{"POST", pathApp + "/integration", No, whyIntegration},
	{"GET", pathApp + "/integration/{integ_id}", No, whyIntegration},
	{"PUT", pathApp + "/integration/{integ_id}", No, whyIntegration},
	{"DELETE", pathApp + "/integration/{integ_id}", No, whyIntegration},
	{"GET", pathApp + "/integration/{integ_id}/key", No, whyIntegration},
	{"POST", pathApp + "/integration/{integ_id}/key/rotate", No, whyIntegration},

	{"GET", prefix + "/connector", No, whyConnector},
	{"POST", prefix + "/connector", No, whyConnector},
	{"GET", prefix + "/connector/{connector_id}", No, whyConnector},
	{"PUT", prefix + "/connector/{connector_id}", No, whyConnector},
	{"PATCH", prefix + "/connector/{connector_id}", No, whyConnector},
	{"DELETE", prefix + "/connector/{connector_id}", No, whyConnector},

	{"POST", prefix + "/environment/export", No, whyManage},
	{"POST", prefix + "/environment/import", No, whyManage},
	{"GET", pathManage + "/environment", No, whyManage},
	{"POST", pathManage + "/environment", No, whyManage},
	{"GET", pathManage + "/environment/{env_id}", No, whyManage},
	{"PUT", pathManage + "/environment/{env_id}", No, whyManage},
	{"DELETE", pathManage + "/environment/{env_id}", No, whyManage},
	{"GET", pathManage + "/environment-settings", No, whyManage},
	{"PUT", pathManage + "/environment-settings", No, whyManage},
	{"PATCH", pathManage + "/environment-settings", No, whyManage},
	{"GET", pathManage + "/environment-settings/customer-otel", No, whyManage},
	{"PUT", pathManage + "/environment-settings/customer-otel", No, whyManage},
	{"DELETE", pathManage + "/environment-settings/customer-otel", No, whyManage},
	{"POST", pathManage + "/authentication/{env_id}/api-token", No, whyManage},
	{"PATCH", pathManage + "/authentication/{env_id}/api-token/{key_id}", No, whyManage},
	{"POST", pathManage + "/authentication/{env_id}/api-token/{key_id}/expire", No, whyManage},

	{"GET", pathStream, No, whyStream},
	{"POST", pathStream, No, whyStream},
	{"GET", pathStream + "/{stream_id}", No, whyStream},
	{"PUT", pathStream + "/{stream_id}", No, whyStream},
	{"PATCH", pathStream + "/{stream_id}", No, whyStream},
	{"DELETE", pathStream + "/{stream_id}", No, whyStream},
	{"GET", pathStream + "/event-type", No, whyStream},
	{"POST", pathStream + "/event-type", No, whyStream},
	{"GET", pathStream + "/event-type/{name}", No, whyStream},
	{"PUT", pathStream + "/event-type/{name}", No, whyStream},
	{"PATCH", pathStream + "/event-type/{name}", No, whyStream},
	{"DELETE", pathStream + "/event-type/{name}", No, whyStream},
	{"POST", pathStream + "/{stream_id}/events", No, whyStream},
	{"GET", pathStream + "/{stream_id}/sink", No, whyStream},
	{"POST", pathStream + "/{stream_id}/sink", No, whyStream},
	{"GET", pathStream + "/{stream_id}/sink/{sink_id}", No, whyStream},
	{"PUT", pathStream + "/{stream_id}/sink/{sink_id}", No, whyStream},
	{"PATCH", pathStream + "/{stream_id}/sink/{sink_id}", No, whyStream},
	{"DELETE", pathStream + "/{stream_id}/sink/{sink_id}", No, whyStream},
	{"GET", pathStream + "/{stream_id}/sink/{sink_id}/events", No, whyStream},
	{"GET", pathStream + "/{stream_id}/sink/{sink_id}/headers", No, whyStream},
	{"PATCH", pathStream + "/{stream_id}/sink/{sink_id}/headers", No, whyStream},
	{"GET", pathStream + "/{stream_id}/sink/{sink_id}/secret", No, whyStream},
	{"POST", pathStream + "/{stream_id}/sink/{sink_id}/secret/rotate", No, whyStream},
	{"GET", pathStream + "/{stream_id}/sink/{sink_id}/transformation", No, whyStream},
	{"PATCH", pathStream + "/{stream_id}/sink/{sink_id}/transformation", No, whyStream},

	{"GET", pathIngest, No, whyIngest},
	{"POST", pathIngest, No, whyIngest},
	{"GET", pathIngest + "/{source_id}", No, whyIngest},
	{"PUT", pathIngest + "/{source_id}", No, whyIngest},
	{"DELETE", pathIngest + "/{source_id}", No, whyIngest},
	{"POST", pathIngest + "/{source_id}/token/rotate", No, whyIngest},
	{"POST", pathIngest + "/{source_id}/dashboard", No, whyIngest},
	{"GET", pathIngest + "/{source_id}/endpoint", No, whyIngest},
	{"POST", pathIngest + "/{source_id}/endpoint", No, whyIngest},
	{"GET", pathIngest + "/{source_id}/endpoint/{endpoint_id}", No, whyIngest},
	{"PUT", pathIngest + "/{source_id}/endpoint/{endpoint_id}", No, whyIngest},
	{"DELETE", pathIngest + "/{source_id}/endpoint/{endpoint_id}", No, whyIngest},
	{"GET", pathIngest + "/{source_id}/endpoint/{endpoint_id}/secret", No, whyIngest},
	{"POST", pathIngest + "/{source_id}/endpoint/{endpoint_id}/secret/rotate", No, whyIngest},
	{"GET", pathIngest + "/{source_id}/endpoint/{endpoint_id}/headers", No, whyIngest},
	{"PUT", pathIngest + "/{source_id}/endpoint/{endpoint_id}/headers", No, whyIngest},
	{"GET", pathIngest + "/{source_id}/endpoint/{endpoint_id}/transformation", No, whyIngest},
	{"PATCH", pathIngest + "/{source_id}/endpoint/{endpoint_id}/transformation", No, whyIngest},
}
