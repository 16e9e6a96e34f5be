"""The demo: people, a partner desk to practise against, and a few tickets. Loading it twice changes nothing."""
