"""Has a model become worse since its baseline?"""
