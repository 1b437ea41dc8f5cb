#include "textflag.h"

// func idleHandler() uintptr
TEXT ·idleHandler(SB), NOSPLIT, $0-8
	MOVD	$idle<>(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// idle is a signal handler. The kernel's link register leads to rt_sigreturn(2).
TEXT idle<>(SB), NOSPLIT|NOFRAME, $0-0
	RET
