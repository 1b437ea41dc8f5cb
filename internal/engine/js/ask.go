package js

import (
	"context"
	"errors"
	"sync"

	"modernc.org/libc"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// asks are the guest's requests to its host. The prelude numbers them, and keeps
// what waits for the answers: of a request that a heap image holds there is
// nothing here, and nobody answers it.
type asks struct {
	life context.Context // ends when the program does
	over context.CancelFunc
	open int // not answered; of the goroutine of Run

	mu      sync.Mutex
	answers []answer // guarded by mu: come and not yet handed over
}

// answer is what became of request id.
type answer struct {
	id     int32
	result []byte
	err    error
}

func (a *asks) init() { a.life, a.over = context.WithCancel(context.Background()) }

// take takes the answer that came first.
func (a *asks) take() (answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.answers) == 0 {
		return answer{}, false
	}
	next := a.answers[0]
	a.answers[0] = answer{}
	a.answers = a.answers[1:]
	if len(a.answers) == 0 {
		a.answers = nil
	}
	return next, true
}

// nativeAsk makes a request: (id, method, params as JSON, or undefined). It
// returns how many bytes params has, if that is more than may be sent; then
// nothing is.
func nativeAsk(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	method, length, ok := e.text(argument(argv, 1), wire.MaxName)
	if !ok {
		return thrown
	}
	if length > wire.MaxName {
		return e.throwType("mp.request: the name of a method has at most 256 bytes")
	}
	params, length, ok := e.optionalText(argument(argv, 2), wire.MaxParams)
	if !ok {
		return thrown
	}
	if length > wire.MaxParams {
		return number(float64(length))
	}
	e.ask(int32(argument(argv, 0).Fu.Fuint641), method, params)
	return undefined
}

// optionalText is text, and "" for undefined.
func (e *Engine) optionalText(v value, limit int) (s string, length int, ok bool) {
	if isUndefined(v) {
		return "", 0, true
	}
	return e.text(v, limit)
}

func (e *Engine) ask(id int32, method, params string) {
	e.sawHost()
	e.asks.open++
	g := engine.Guest{Program: &e.program, Host: e.host}
	engine.Ask(e.asks.life, g, method, []byte(params), func(result []byte, err error) {
		e.asks.mu.Lock()
		e.asks.answers = append(e.asks.answers, answer{id, result, err})
		e.asks.mu.Unlock()
		e.nudge()
	})
}

// runAnswer hands one answer to the guest.
func (e *Engine) runAnswer() bool {
	if e.watch.over(e) {
		return true // the loop sees why
	}
	a, ok := e.asks.take()
	if !ok {
		return false
	}
	e.asks.open--
	e.turn(func() {
		if err := e.hand(a); err != nil {
			e.uncaught(e.exception())
		}
	})
	return true
}

var errThrown = errors.New("an exception is pending")

// hand settles the guest's promise: answered(id, JSON) or answered(id,
// undefined, code, message).
func (e *Engine) hand(a answer) error {
	args := []value{integer(a.id)}
	defer func() {
		for _, v := range args[1:] {
			e.drop(v)
		}
	}()
	for _, s := range a.words() {
		v := undefined
		if s != "" {
			v = e.newString(s)
		}
		if isThrown(v) {
			return errThrown
		}
		args = append(args, v)
	}
	r := e.call(theRoot().entry[entryAnswered], args...)
	if isThrown(r) {
		return errThrown
	}
	e.drop(r)
	return nil
}

// words are the arguments of answered behind the number; none is "" but for
// undefined.
func (a *answer) words() []string {
	var ask *mp.AskError
	switch {
	case a.err == nil:
		return []string{string(a.result)}
	case errors.As(a.err, &ask):
		return []string{"", string(ask.Code), ask.Message}
	}
	return []string{"", string(mp.AskFailed), a.err.Error()}
}
