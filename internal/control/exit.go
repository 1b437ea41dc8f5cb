package control

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// EncodeExit writes how a program ended, and when.
func EncodeExit(e mp.Exit, at time.Time) *controlpb.Exit {
	return &controlpb.Exit{
		Cause:   string(e.Cause),
		Code:    int32(e.Code),
		Signal:  int32(e.Signal),
		Syscall: e.Syscall,
		Fault:   string(e.Fault),
		Detail:  e.Detail,
		Status:  int32(e.Status()),
		Time:    timestamppb.New(at),
	}
}

// DecodeExit reads how a program ended.
func DecodeExit(e *controlpb.Exit) mp.Exit {
	return mp.Exit{
		Cause:   mp.Cause(e.GetCause()),
		Code:    int(e.GetCode()),
		Signal:  int(e.GetSignal()),
		Syscall: e.GetSyscall(),
		Fault:   mp.Fault(e.GetFault()),
		Detail:  e.GetDetail(),
	}
}
