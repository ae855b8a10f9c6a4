"""What do the judges say of mirrored and recorded pairs, and how far can that be trusted?"""
