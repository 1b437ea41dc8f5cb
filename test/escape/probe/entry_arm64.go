package main

import "github.com/mpsupervisor/mpsupervisor/test/escape/attack"

// entry32 does not exist: a 64-bit process has no instruction for it.
func entry32(attack.Request) attack.Outcome {
	return attack.Outcome{Failed: "no 32-bit entry on this architecture"}
}
