"""Reading a final: what in it claims to be a verdict, and whether the claims agree. Used by ``core.reply``."""
