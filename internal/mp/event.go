package mp

// EventType names a moment in a mini-program's life that it is told of.
// https://www.w3.org/TR/miniapp-lifecycle/ has all but hibernate.
type EventType string

const (
	EventLaunched  EventType = "launched"  // it has been loaded; nothing was called yet
	EventShown     EventType = "shown"     // it, or one of its pages, can be seen now
	EventHidden    EventType = "hidden"    // it cannot be seen any more
	EventUnloaded  EventType = "unloaded"  // it is about to be ended
	EventHibernate EventType = "hibernate" // an image of it is about to be made
)

// Valid reports whether there is such an event.
func (t EventType) Valid() bool {
	switch t {
	case EventLaunched, EventShown, EventHidden, EventUnloaded, EventHibernate:
		return true
	}
	return false
}
