"""From quarks to the nucleus: loop functions, gluon kernels, coefficients."""
