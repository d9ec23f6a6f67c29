// Stands in for the theme's file of this name: 1.5 MB that draw the icons a second time, after the style sheet has.
