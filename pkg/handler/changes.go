package handler

// clientBytesMax is how much of a client id is logged: clients may say anything.
const clientBytesMax = 64

// logChange logs a change to the topics there are, once it is durable: which, and who asked for it.
func (h *Handler) logChange(c *Call, what, topic string, more ...any) {
	line := append([]any{"topic", topic}, more...)
	line = append(line, "client", c.ClientID[:min(len(c.ClientID), clientBytesMax)], "from", c.Conn.RemoteAddr)
	if user := c.Conn.Session.User(); user != "" {
		line = append(line, "user", user)
	}
	h.options.Log.Info(what, line...)
}
