def F_G(*a): return 0.0
