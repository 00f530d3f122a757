"""What happens besides the step itself. What a callback needs of the engine is handed in."""
