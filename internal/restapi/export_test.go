package restapi

// SvixRoutes are the routes that docs/svix.md lists.
func SvixRoutes() []Route { return svixRoutes }
