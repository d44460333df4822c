"""SVG: told from other files, read within bounds, rewritten by an allow-list, and drawn.

What is stored of a drawing is written anew from what the lists name; nothing of the file that was sent is copied. All
but the first look at a file is done in a decoder, where the parser of styles and the renderer are loaded when they are
needed.
"""
