"""What the console refuses to do, in one line for the operator."""


class ConsoleError(Exception):
    """The question cannot be answered as it was put; nothing was changed."""
