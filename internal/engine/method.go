package engine

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Guest is a program as it stands before its host.
type Guest struct {
	Program *Program
	Host    Host
}

// method answers one kind of request. Params is JSON, or empty when the guest
// gave none; the result is what encoding/json makes of it. A method does not
// block: it runs where the guest is served.
type method func(g Guest, params []byte) (result any, err error)

// methods is what the worker answers itself of all that a program may ask of
// its host, whichever engine runs it. JavaScript reaches them through its
// prelude, a native program as JSON-RPC on MP_HOST_FD.
var methods = map[string]method{
	"log": askLog,
}

// Ask has a guest's request answered, here or by the host beyond. See
// Host.Ask; done may be called before it returns.
func Ask(ctx context.Context, g Guest, name string, params []byte, done func(result []byte, err error)) {
	m, ok := methods[name]
	if !ok {
		g.Host.Ask(ctx, name, params, done)
		return
	}
	result, err := m(g, params)
	if err != nil {
		done(nil, err)
		return
	}
	done(json.Marshal(result))
}

// paramsError is the error of a request whose params are not what its method
// takes.
func paramsError(method, reason string) error {
	return &mp.AskError{Code: mp.AskParams, Message: "params of " + method + ": " + reason}
}

// askLog takes one console line. A console that JavaScript writes to comes to
// Host.Log without the way over JSON.
func askLog(g Guest, params []byte) (any, error) {
	var line struct {
		Level *string `json:"level"`
		Text  *string `json:"text"`
	}
	if err := json.Unmarshal(params, &line); err != nil {
		return nil, paramsError("log", paramsReason(err))
	}
	if line.Level == nil || line.Text == nil {
		return nil, paramsError("log", "level and text are needed")
	}
	switch *line.Level {
	case "debug", "info", "warn", "error":
		g.Host.Log(*line.Level, *line.Text)
		return nil, nil
	}
	return nil, paramsError("log", "level is not debug, info, warn or error")
}

// paramsReason says what is wrong without the names of our Go types.
func paramsReason(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return wrong.Field + " must not be a JSON " + wrong.Value
	}
	return "not an object with level and text"
}
