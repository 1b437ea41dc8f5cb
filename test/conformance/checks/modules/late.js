await new Promise((resolve) => setTimeout(resolve, 2));
export const value = "late";
