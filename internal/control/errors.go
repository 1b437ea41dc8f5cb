package control

import (
	"context"
	"errors"
	"io"
	"syscall"

	"connectrpc.com/connect"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Errors of the control API, beside those of package mp.
var (
	ErrNoDaemon   = errors.New("no daemon answers")          // nothing listens on the socket
	ErrDenied     = errors.New("permission denied")          // the peer's role does not allow it
	ErrBadRequest = errors.New("bad request")                // an argument is wrong
	ErrBusy       = errors.New("too much is going on")       // a bound on concurrency is reached: try again
	ErrStopping   = errors.New("the supervisor is stopping") // nothing new is begun
)

// reasons pairs each error that a caller may branch on with its code and its
// name in ErrorInfo. The first that matches counts. Without an ErrorInfo, as
// when Connect itself made the error, a client takes the first with the code.
var reasons = []struct {
	reason string
	code   connect.Code
	err    error
}{
	{"not_found", connect.CodeNotFound, mp.ErrNotFound},
	{"bad_request", connect.CodeInvalidArgument, ErrBadRequest},
	{"bad_package", connect.CodeInvalidArgument, mp.ErrBadPackage},
	{"too_large", connect.CodeResourceExhausted, mp.ErrTooLarge},
	{"busy", connect.CodeResourceExhausted, ErrBusy},
	{"missing", connect.CodeFailedPrecondition, mp.ErrMissing},
	{"ended", connect.CodeFailedPrecondition, mp.ErrEnded},
	{"frozen", connect.CodeFailedPrecondition, mp.ErrFrozen},
	{"hibernated", connect.CodeFailedPrecondition, mp.ErrHibernated},
	{"quarantine", connect.CodeFailedPrecondition, mp.ErrQuarantine},
	{"denied", connect.CodePermissionDenied, ErrDenied},
	{"stopping", connect.CodeUnavailable, ErrStopping},
	{"timeout", connect.CodeDeadlineExceeded, context.DeadlineExceeded},
	{"canceled", connect.CodeCanceled, context.Canceled},
}

// Error is a failure as the other end of the control API told it. It unwraps
// to the error of the table above, and to the *mp.GuestError if a package's own
// code failed.
type Error struct {
	Message string        // for people
	ID      mp.InstanceID // the instance it is about, if any: its lines can be read with Logs
	Exit    *mp.Exit      // how that instance ended, if it did
	is      error
	guest   *mp.GuestError
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives what errors.Is and errors.As look at.
func (e *Error) Unwrap() []error {
	var all []error
	if e.is != nil {
		all = append(all, e.is)
	}
	if e.guest != nil {
		all = append(all, e.guest)
	}
	return all
}

// About says which instance an error is about, and how that ended if it did,
// for the caller at the other end.
func About(id mp.InstanceID, exit *controlpb.Exit, err error) error {
	return &about{error: err, id: id, exit: exit}
}

type about struct {
	error
	id   mp.InstanceID
	exit *controlpb.Exit
}

func (a *about) Unwrap() error { return a.error }

// encode turns a plain error into one that travels.
func encode(err error) error {
	if err == nil || connect.IsWireError(err) {
		return err
	}
	if own := (*connect.Error)(nil); errors.As(err, &own) {
		return err
	}
	info := &controlpb.ErrorInfo{}
	code := connect.CodeInternal
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			code, info.Reason = r.code, r.reason
			break
		}
	}
	if a := (*about)(nil); errors.As(err, &a) {
		info.Id, info.Exit = string(a.id), a.exit
	}
	out := connect.NewError(code, err)
	if detail, e := connect.NewErrorDetail(info); e == nil {
		out.AddDetail(detail)
	}
	if guest := (*mp.GuestError)(nil); errors.As(err, &guest) {
		thrown := &controlpb.Thrown{Name: guest.Name, Message: guest.Message, Stack: guest.Stack}
		if detail, e := connect.NewErrorDetail(thrown); e == nil {
			out.AddDetail(detail)
		}
	}
	return out
}

// decode turns what came into an *Error.
func decode(err error) error {
	if dial := (*dialError)(nil); errors.As(err, &dial) {
		return dial
	}
	ce := (*connect.Error)(nil)
	if !errors.As(err, &ce) {
		return err
	}
	out := &Error{Message: ce.Message()}
	if lost(err) {
		out.Message = "the connection ended without an answer: the supervisor stopped, or has too many open (" + ce.Message() + ")"
	}
	for _, d := range ce.Details() {
		out.addDetail(d)
	}
	for _, r := range reasons {
		if out.is == nil && r.code == ce.Code() {
			out.is = r.err
		}
	}
	return out
}

// lost reports whether the connection ended under a call.
func lost(err error) bool {
	for _, sign := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, sign) {
			return true
		}
	}
	return false
}

// addDetail takes what it knows out of one detail, and leaves the rest.
func (e *Error) addDetail(d *connect.ErrorDetail) {
	value, err := d.Value()
	if err != nil {
		return // of a type that this version does not have
	}
	switch v := value.(type) {
	case *controlpb.ErrorInfo:
		e.ID = mp.InstanceID(v.Id)
		if v.Exit != nil {
			exit := DecodeExit(v.Exit)
			e.Exit = &exit
		}
		for _, r := range reasons {
			if r.reason == v.Reason {
				e.is = r.err
			}
		}
	case *controlpb.Thrown:
		e.guest = &mp.GuestError{Name: v.Name, Message: v.Message, Stack: v.Stack}
	}
}

// translate is an interceptor that passes every error through one function.
type translate func(error) error

func (t translate) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		res, err := next(ctx, req)
		if err != nil {
			return nil, t(err)
		}
		return res, nil
	}
}

func (t translate) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, c connect.StreamingHandlerConn) error {
		if err := next(ctx, c); err != nil {
			return t(err)
		}
		return nil
	}
}

func (t translate) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		return &translatedConn{StreamingClientConn: next(ctx, spec), t: t}
	}
}

type translatedConn struct {
	connect.StreamingClientConn
	t translate
}

func (c *translatedConn) Receive(m any) error { return c.pass(c.StreamingClientConn.Receive(m)) }

// pass leaves io.EOF alone: it ends a stream that went well.
func (c *translatedConn) pass(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return c.t(err)
}
