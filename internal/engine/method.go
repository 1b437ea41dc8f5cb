package engine

import (
	"encoding/json"
	"errors"
	"fmt"

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

// methods is everything that a program may ask of its host, whichever engine
// runs it. JavaScript reaches them through its prelude, a native program as
// JSON-RPC on MP_HOST_FD.
var methods = map[string]method{
	"app": askApp,
	"log": askLog,
}

// ParamsError is the error of a request whose params are not what its method
// takes.
type ParamsError struct{ Method, Reason string }

func (e *ParamsError) Error() string {
	return fmt.Sprintf("params of %s: %s", e.Method, e.Reason)
}

// Ask answers a guest's request with JSON. The error wraps mp.ErrNotFound when
// there is no such method, or is a *ParamsError.
func Ask(g Guest, name string, params []byte) (json.RawMessage, error) {
	m, ok := methods[name]
	if !ok {
		return nil, fmt.Errorf("method %.80q: %w", name, mp.ErrNotFound)
	}
	result, err := m(g, params)
	if err != nil {
		return nil, err
	}
	return json.Marshal(result)
}

// App is the result of the method app: who the host takes the program for.
type App struct {
	ID string `json:"id"`
}

func askApp(g Guest, _ []byte) (any, error) { return App{ID: g.Program.AppID}, nil }

// askLog takes one console line. A console that JavaScript writes to comes to
// Host.Log without the way over JSON.
func askLog(g Guest, params []byte) (any, error) {
	var line struct {
		Level *string `json:"level"`
		Text  *string `json:"text"`
	}
	if err := json.Unmarshal(params, &line); err != nil {
		return nil, &ParamsError{"log", paramsReason(err)}
	}
	if line.Level == nil || line.Text == nil {
		return nil, &ParamsError{"log", "level and text are needed"}
	}
	switch *line.Level {
	case "debug", "info", "warn", "error":
		g.Host.Log(*line.Level, *line.Text)
		return nil, nil
	}
	return nil, &ParamsError{"log", "level is not debug, info, warn or error"}
}

// paramsReason says what is wrong without the names of our Go types.
func paramsReason(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return wrong.Field + " must not be a JSON " + wrong.Value
	}
	return "not an object with level and text"
}
