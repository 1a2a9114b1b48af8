package restapi

import "context"

// SvixRoutes are the routes that docs/svix.md lists.
func SvixRoutes() []Route { return svixRoutes }

// Shelf makes one; it gives its get.
func Shelf() func(ctx context.Context, name string, write func(context.Context) (string, error)) (string, error) {
	return newShelf().get
}

// Reworded puts a message of huma's into the API's words.
func Reworded(message string) (words, member string) { return reworded(message) }
