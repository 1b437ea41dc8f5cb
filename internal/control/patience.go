package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb/controlpbconnect"
)

// ErrSilent says that something listens on the socket and does not answer: a
// supervisor that is stopped or stuck.
var ErrSilent = errors.New("the supervisor does not answer")

// questionTimeout bounds the calls that only ask. The others take as long as
// programs do, and have their bounds in the supervisor.
const questionTimeout = 10 * time.Second

var questions = map[string]bool{
	controlpbconnect.ControlInfoProcedure:       true,
	controlpbconnect.ControlListProcedure:       true,
	controlpbconnect.ControlInspectProcedure:    true,
	controlpbconnect.ControlStatsProcedure:      true,
	controlpbconnect.ControlLearnedProcedure:    true,
	controlpbconnect.ControlQuarantineProcedure: true,
}

// patience gives up on a question after limit.
func patience(limit time.Duration) connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			if !questions[req.Spec().Procedure] {
				return next(ctx, req)
			}
			bounded, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			res, err := next(bounded, req)
			if err != nil && bounded.Err() != nil && ctx.Err() == nil {
				return nil, fmt.Errorf("%w within %v: see its log; if it stays so, restart it", ErrSilent, limit)
			}
			return res, err
		}
	}
}
