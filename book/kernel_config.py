"""The kernels that run the chapters for `make book`: vector graphics."""

c = get_config()  # noqa: F821  (IPython defines it)
c.InlineBackend.figure_formats = {"svg"}  # sharp on screen and in print
c.IPKernelApp.log_level = "ERROR"
c.InlineBackend.print_figure_kwargs = {
    "bbox_inches": None
}  # a crop would move the panels that the page puts in place
