package launch

// Notice is something that the kernel told of a running worker: one of the
// fields is set.
type Notice struct {
	Denied *Denied
	Fault  *Fault
}

// maxNotices is how many notices wait for a reader. The launcher sends no more
// than about a thousand a second, of all workers together.
const maxNotices = 1024

// Notices delivers what the kernel tells of workers while they run. It holds a
// bounded number: while nobody reads, the oldest are dropped, and neither the
// answers to requests nor Exits wait for it. What was told of a worker is here
// before its end is in Exits, so that whoever takes an end can take what
// belongs to it first, without waiting. It is closed when the launcher is gone.
func (c *Client) Notices() <-chan Notice { return c.notices }

// notify adds a notice, if need be in the place of the oldest. There is one
// sender only, so that the place stays free.
func (c *Client) notify(n Notice) {
	for {
		select {
		case c.notices <- n:
			return
		default:
		}
		select {
		case <-c.notices:
		default: // a reader was faster
		}
	}
}

// event takes a packet that answers no request, and reports whether it says
// anything.
func (c *Client) event(r Response) bool {
	switch {
	case r.Event != nil:
		c.exits.put(*r.Event)
	case r.Denied != nil || r.Fault != nil:
		c.notify(Notice{r.Denied, r.Fault})
	default:
		return false
	}
	return true
}
