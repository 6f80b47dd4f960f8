// Fixture for procedure linkage on an architecture that is not this machine's: compiled, never run.
extern int far_away(int);
extern int further(int);
int here(int x) { return far_away(x) + further(x) + 1; }
