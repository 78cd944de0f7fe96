"""The gateway: jobs over HTTP. It checks requests, stores them and answers them. It loads no audio or tensor
library."""
