"""From bytes to messages to exchanges: no socket, thread, file or clock is touched here; time is an argument."""
