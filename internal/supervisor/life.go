package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// life is what a program was told of itself. instance.mu guards it; who changes
// it holds instance.telling from before the program is told until after.
type life struct {
	visible bool
	page    string // the one that is shown when the program is; "" is none
}

// show tells the program that it can be seen, and which of its pages, unless it
// knows. An empty page leaves that to the program.
func (i *instance) show(ctx context.Context, page string) error {
	if err := i.prog.hasPage(page); err != nil {
		return err
	}
	return i.change(ctx, mp.EventShown, page, func(l life) (life, bool) {
		next := life{visible: true, page: page}
		if page == "" {
			next.page = l.page
		}
		return next, next != l
	})
}

// hide tells the program that it, or one of its pages, cannot be seen any more.
func (i *instance) hide(ctx context.Context, page string) error {
	if err := i.prog.hasPage(page); err != nil {
		return err
	}
	return i.change(ctx, mp.EventHidden, page, hidden(page))
}

func hidden(page string) func(life) (life, bool) {
	return func(l life) (life, bool) {
		next := life{visible: l.visible}
		if page == "" {
			next = life{page: l.page}
		}
		return next, l.visible && (page == "" || page == l.page)
	}
}

// pages are those of the manifest. A directory has none, and may have any.
func (p *program) pages() []string {
	if p.pack == nil {
		return nil
	}
	return p.pack.Manifest.Pages
}

// hasPage refuses a path that the manifest does not have among its pages.
func (p *program) hasPage(page string) error {
	switch {
	case len(page) > wire.MaxPage:
		return fmt.Errorf("%w: the path of a page has at most %d bytes", control.ErrBadRequest, wire.MaxPage)
	case page == "" || p.pack == nil || slices.Contains(p.pages(), page):
		return nil
	}
	return fmt.Errorf("page %q of %s: %w", page, p.app, mp.ErrNotFound)
}

// change tells the program of a new state of its life, if next says that it is
// one, and notes it.
func (i *instance) change(ctx context.Context, typ mp.EventType, page string, next func(life) (life, bool)) error {
	conn, err := i.begin()
	if err != nil {
		return err
	}
	defer i.finished()
	select {
	case i.telling <- struct{}{}:
		defer func() { <-i.telling }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return i.changeOver(ctx, conn, typ, page, next)
}

// changeOver is change for who holds telling.
func (i *instance) changeOver(ctx context.Context, conn *ipc.Conn, typ mp.EventType, page string, next func(life) (life, bool)) error {
	l, changed := next(i.lifeNow())
	if !changed {
		return nil
	}
	if _, err := i.tell(ctx, conn, wire.Event{Type: typ, Page: page}); err != nil {
		return err
	}
	i.mu.Lock()
	i.life = l
	i.mu.Unlock()
	i.sup.events.emit(eventOf[typ], i.id, i.app(), "page", page)
	return nil
}

var eventOf = map[mp.EventType]string{mp.EventShown: eventShown, mp.EventHidden: eventHidden}

func (i *instance) lifeNow() life {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.life
}

// errNotTold is of a worker whose program is about to end.
var errNotTold = errors.New("the worker cannot tell the program")

// tell tells the program of a moment in its life, and returns what it saved.
// Handlers take as long as calls may; one that ends the program is the reason of
// its end.
func (i *instance) tell(ctx context.Context, conn *ipc.Conn, e wire.Event) ([]byte, error) {
	body, err := wire.Marshal(wire.MethodEvent, &e)
	if err != nil {
		return nil, err
	}
	// The worker gives up waiting for what handlers wait for, and says so.
	limit, cancel := i.timeout(ctx, i.bounds().CallTimeout+i.sup.timing.grace)
	defer cancel()
	answer, err := conn.Call(limit, body)
	if remote := (*ipc.RemoteError)(nil); errors.As(err, &remote) {
		return nil, fmt.Errorf("%w of the event %s: %s", errNotTold, e.Type, firstLine(remote.Error()))
	}
	switch {
	case err == nil:
	case limit.Err() != nil && ctx.Err() == nil: // it had its second of grace already
		i.end(verdict{cause: mp.CauseCallLimit, detail: "the event " + string(e.Type) + " took longer than it may"})
		return nil, i.endedSoon(ctx)
	default:
		return nil, i.callFailed(ctx, limit, "the event "+string(e.Type), err)
	}
	var m wire.EventDone
	if err = wire.Unmarshal(answer, &m); err == nil && len(m.Result) > 0 && !json.Valid(m.Result) {
		err = errors.New("saved what is not JSON")
	}
	if err != nil {
		i.violated(err)
		return nil, i.endedSoon(ctx)
	}
	return m.Result, nil
}

// launch tells a program that it has been loaded, before anything else does. A
// native one knows. That the program ended meanwhile is no error.
func (i *instance) launch(ctx context.Context, conn *ipc.Conn) error {
	if i.maker || i.prog.role == launch.RoleNative {
		return nil
	}
	detail, err := i.launchDetail()
	if err != nil {
		return err
	}
	_, err = i.tell(ctx, conn, wire.Event{Type: mp.EventLaunched, Detail: detail})
	if errors.Is(err, mp.ErrEnded) || errors.Is(err, errNotTold) {
		return nil
	}
	return err
}

// launchDetail is what the event launched tells the program: whether everything
// that it had is still there, and if not, what it saved when it was hibernated.
func (i *instance) launchDetail() ([]byte, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var detail struct {
		Restored bool            `json:"restored"`
		State    json.RawMessage `json:"state,omitempty"`
	}
	detail.Restored = i.start.image == string(mp.ImageInstance)
	if i.wake != nil && !detail.Restored {
		detail.State = i.wake.saved
	}
	return json.Marshal(detail)
}

// lastWish tells a program that it is about to be hibernated, hidden before, and
// gives what it saves for a start without its image. That it saves nothing is no
// error.
func (i *instance) lastWish(ctx context.Context, conn *ipc.Conn) ([]byte, error) {
	i.telling <- struct{}{}
	defer func() { <-i.telling }()
	for _, page := range []string{i.lifeNow().page, ""} {
		if err := i.changeOver(ctx, conn, mp.EventHidden, page, hidden(page)); err != nil {
			return nil, err
		}
	}
	return i.tell(ctx, conn, wire.Event{Type: mp.EventHibernate})
}

// unload tells a program that it is about to be ended, and gives it a little time
// for that. One that is busy, frozen or not running is not waited for.
func (i *instance) unload() {
	conn, err := i.listening()
	if err != nil || i.prog.role == launch.RoleNative {
		return
	}
	body, err := wire.Marshal(wire.MethodEvent, &wire.Event{Type: mp.EventUnloaded})
	if err != nil {
		return
	}
	limit, cancel := context.WithTimeout(context.Background(), min(i.bounds().CallTimeout, i.sup.timing.unload))
	defer cancel()
	conn.Call(limit, body) // whatever comes of it, the program ends
}

// unloadAll does that for many at once.
func unloadAll(all []*instance) {
	done := make(chan struct{})
	for _, i := range all {
		go func() { i.unload(); done <- struct{}{} }()
	}
	for range all {
		<-done
	}
}
