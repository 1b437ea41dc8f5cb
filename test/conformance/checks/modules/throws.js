throw new RangeError("while it is evaluated");
