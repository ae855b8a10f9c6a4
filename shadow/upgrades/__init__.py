"""May this model take the place of that one? Proposed, shadowed, shown to be no worse, approved by a second person, switched."""
