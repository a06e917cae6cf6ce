from __future__ import annotations

import signal

pytest_plugins = ["pytester"]

# In a run that a script has put into the background Ctrl-C is ignored, and so by all that tests start, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
