package handler

// clientBytesMax is how much of a client id is logged: clients may say anything.
const clientBytesMax = 64

// logChange logs a change to what lasts beyond records, or that records are gone, once it is durable: of what, as pairs of a name and
// a value, and who asked for it.
func (h *Handler) logChange(c *Call, what string, of ...any) {
	of = append(of, "client", c.ClientID[:min(len(c.ClientID), clientBytesMax)], "from", c.Conn.RemoteAddr)
	if user := c.Conn.Session.User(); user != "" {
		of = append(of, "user", user)
	}
	h.options.Log.Info(what, of...)
}
