#include "textflag.h"

// func idleHandler() uintptr
TEXT ·idleHandler(SB), NOSPLIT, $0-8
	MOVQ	$idle<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// idle is a signal handler. The kernel's frame returns to the action's restorer,
// which calls rt_sigreturn(2).
TEXT idle<>(SB), NOSPLIT|NOFRAME, $0-0
	RET
