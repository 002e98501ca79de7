"""The matrix language: text to terms, and terms to text."""
