package app

// Fail ends the app as a part of it that fails does.
func (a *App) Fail(err error) { a.fail(err) }
