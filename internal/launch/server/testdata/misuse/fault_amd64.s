#include "textflag.h"

// func read(address uintptr)
TEXT ·read(SB), NOSPLIT, $0-8
	MOVQ address+0(FP), AX
	MOVQ (AX), AX
	RET

// func jump(address uintptr)
TEXT ·jump(SB), NOSPLIT, $0-8
	MOVQ address+0(FP), AX
	JMP  AX

// func overflow(top uintptr)
TEXT ·overflow(SB), NOSPLIT, $0-8
	MOVQ top+0(FP), SP
more:
	PUSHQ AX
	JMP   more

// func illegal()
TEXT ·illegal(SB), NOSPLIT, $0-0
	UD2
