"""The actions, one file each."""
